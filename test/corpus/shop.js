import { startPostgres } from './postgres.js';
import { roles, schema } from './corpus.js';
/** The role of side connections: it has no rights on any data. */
export const GUARD = 'guard';
/** The corpus's database, `shop`, on a new server, with up-to-date statistics. */
export const startShop = async (binaries) => {
    const server = await startPostgres(binaries);
    const admin = await server.connect('postgres');
    await admin.query(roles);
    await admin.query('CREATE DATABASE shop');
    await admin.query(`CREATE ROLE ${GUARD} LOGIN`);
    await admin.end();
    const shop = await server.connect('shop');
    const { rows } = await shop.query('SELECT name FROM pg_available_extensions');
    const available = new Set(rows.map(({ name }) => name));
    await shop.query(withoutMissing(schema, available));
    await shop.query('ANALYZE');
    await shop.end();
    return server;
};
/** adminpack is gone since version 17; its functions are then simply not there. */
const withoutMissing = (sql, available) => sql.replace(/^CREATE EXTENSION IF NOT EXISTS (\w+);$/gm, (line, name) => (available.has(name) ? line : ''));
/** What the columns of the corpus's schema hold. Everything else is clear. */
const CLASSES = {
    'public.customers.full_name': 'person-name',
    'public.customers.email': 'email',
    'public.customers.phone': 'phone',
    'public.customers.ssn': 'ssn',
    'public.customers.dob': 'birth-date',
    'public.customers.address': 'address',
    'public.customers.notes': 'free-text',
    'public.customers.profile': 'free-text',
    'public.customers.tags': 'free-text',
    'public.payments.card_number': 'card',
    'public.payments.iban': 'bank-account',
    'public.employees.name': 'person-name',
    'public.employees.national_id': 'national-id',
    'public.sessions.token': 'secret',
    'public.sessions.ip': 'ip-address',
    'sales.leads.contact_email': 'email',
};
export const classOf = (column) => CLASSES[column] ?? 'clear';
//# sourceMappingURL=shop.js.map