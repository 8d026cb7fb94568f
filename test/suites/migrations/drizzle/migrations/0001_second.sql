ALTER TYPE "public"."status" ADD VALUE 'sent';--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "name" text;--> statement-breakpoint
CREATE INDEX "orders_by_user" ON "orders" USING btree ("user_id","status");--> statement-breakpoint
UPDATE "users" SET "name" = split_part("email", '@', 1);
