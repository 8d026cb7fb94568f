/** A name as PostgreSQL reads it, whatever is in it. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`
