create or replace view app.rich as select owner, balance from app.accounts where balance > 10;
