create index concurrently accounts_by_owner on app.accounts (owner);
