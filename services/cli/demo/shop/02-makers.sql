-- How values are made; gone with the session. `turn` picks from a list, and neighbours get different picks.

create function pg_temp.turn(list text[], n bigint) returns text immutable language sql as
  $$ select list[1 + (n % cardinality(list))] $$;

-- Spreads numbers without a random number generator: the multiplier is prime, the result below 2^31.
create function pg_temp.mix(n bigint, salt bigint) returns bigint immutable language sql as
  $$ select ((n + salt) * 2654435761 + salt * 40503) % 2147483647 $$;

create function pg_temp.plain(name text) returns text immutable language sql as
  $$ select translate(lower(name), 'áàâäãåçéèêëíîïñóôöõøúûüß ''-', 'aaaaaaceeeeiiinooooouuus') $$;

-- ISO/IEC 7812-1, annex B: the digit that makes the whole number pass the Luhn test.
create function pg_temp.with_luhn(digits text) returns text immutable language sql as $$
  select digits || (10 - sum(case when doubled then d * 2 - case when d > 4 then 9 else 0 end else d end) % 10) % 10
  from (
    select substr(digits, i, 1)::int as d, (length(digits) - i) % 2 = 0 as doubled
    from generate_series(1, length(digits)) as i
  ) as each
$$;

-- ISO 13616: two check digits, so that the number moved round and read as an integer leaves 1 modulo 97.
create function pg_temp.with_iban_check(country text, account text) returns text immutable language sql as $$
  select country || lpad((98 - string_agg(
           case when c between 'A' and 'Z' then (ascii(c) - 55)::text else c end, '' order by at
         )::numeric % 97)::text, 2, '0') || account
  from regexp_split_to_table(account || country || '00', '') with ordinality as letters (c, at)
$$;

create function pg_temp.digits(n bigint, salt bigint, width int) returns text immutable language sql as
  $$ select right(repeat('0', width) || pg_temp.mix(n, salt)::text || pg_temp.mix(n, salt + 7)::text, width) $$;

create function pg_temp.iban(n bigint) returns text immutable language sql as $$
  select case n % 5
    when 0 then pg_temp.with_iban_check('DE', '50010517' || pg_temp.digits(n, 11, 10))
    when 1 then pg_temp.with_iban_check('GB', 'NWBK601613' || pg_temp.digits(n, 12, 8))
    when 2 then pg_temp.with_iban_check('FR', '2004101005' || pg_temp.digits(n, 13, 13))
    when 3 then pg_temp.with_iban_check('NL', 'ABNA' || pg_temp.digits(n, 14, 10))
    else pg_temp.with_iban_check('ES', '21000418' || pg_temp.digits(n, 15, 12))
  end
$$;

-- Issuer prefixes that payment services publish for tests.
create function pg_temp.card(n bigint) returns text immutable language sql as $$
  select case n % 5
    when 0 then pg_temp.with_luhn('400000' || pg_temp.digits(n, 21, 9))
    when 1 then pg_temp.with_luhn('424242' || pg_temp.digits(n, 22, 9))
    when 2 then pg_temp.with_luhn('555555' || pg_temp.digits(n, 23, 9))
    when 3 then pg_temp.with_luhn('37828' || pg_temp.digits(n, 24, 9))
    else pg_temp.with_luhn('601111' || pg_temp.digits(n, 25, 9))
  end
$$;

-- Of the form that was issued once; area, group and serial are never zero, the area never 666 or above 899.
create function pg_temp.ssn(n bigint) returns text immutable language sql as $$
  select format('%s-%s-%s',
    lpad((100 + pg_temp.mix(n, 31) % 560)::text, 3, '0'),
    lpad((1 + pg_temp.mix(n, 32) % 99)::text, 2, '0'),
    lpad((1 + pg_temp.mix(n, 33) % 9999)::text, 4, '0'))
$$;

-- Ranges that the regulators keep free for films and books, as each country writes them.
create function pg_temp.phone(country text, n bigint) returns text immutable language sql as $$
  select case country
    when 'US' then case n % 3
      when 0 then format('+1-%s-555-01%s', 201 + n % 700, lpad((n % 100)::text, 2, '0'))
      when 1 then format('(%s) 555-01%s', 201 + n % 700, lpad((n % 100)::text, 2, '0'))
      else format('%s.555.01%s', 201 + n % 700, lpad((n % 100)::text, 2, '0')) end
    when 'GB' then case n % 2
      when 0 then format('+44 20 7946 0%s', lpad((n % 1000)::text, 3, '0'))
      else format('07700 900%s', lpad((n % 1000)::text, 3, '0')) end
    when 'DE' then case n % 2
      when 0 then format('+49 30 23125 %s', lpad((n % 1000)::text, 3, '0'))
      else format('030 / 23125%s', lpad((n % 1000)::text, 3, '0')) end
    when 'FR' then format('+33 1 99 00 %s %s', lpad((n % 100)::text, 2, '0'), lpad((n / 100 % 100)::text, 2, '0'))
    when 'NL' then format('+31 6 5550 %s', lpad((n % 10000)::text, 4, '0'))
    else format('+34 600 55 %s %s', lpad((n % 100)::text, 2, '0'), lpad((n / 100 % 100)::text, 2, '0'))
  end
$$;

create function pg_temp.country(n bigint) returns text immutable language sql as
  $$ select pg_temp.turn(array['US', 'US', 'DE', 'US', 'GB', 'US', 'FR', 'US', 'NL', 'ES'], n) $$;

create function pg_temp.first_name(n bigint) returns text immutable language sql as $$
  select pg_temp.turn(array[
    'Amelia', 'Noah', 'Lucía', 'Jürgen', 'Zoë', 'Oliver', 'Camille', 'Mateo', 'Freja', 'Bram', 'Ines', 'Henry',
    'Margot', 'Felix', 'Sofie', 'Diego', 'Clara', 'Elias', 'Nadia', 'Hugo', 'Priya', 'Tobias', 'Leonor', 'Samuel',
    'Anneke', 'Rafael', 'Greta', 'Jonas', 'Maeve', 'Ruben', 'Yara', 'Theo', 'Ingrid', 'Pablo', 'Wren', 'Casper'
  ], n)
$$;

create function pg_temp.last_name(n bigint) returns text immutable language sql as $$
  select pg_temp.turn(array[
    'Harper', 'van Dijk', 'Müller', 'Ortega', 'Lefèvre', 'Whitfield', 'Brandt', 'Castillo', 'Okafor', 'Lindqvist',
    'Marchetti', 'Novak', 'Fairbanks', 'Delacroix', 'Peña', 'Hoffmann', 'Sørensen', 'Achterberg', 'Blackwood',
    'Iglesias', 'Rousseau', 'Kessler', 'Vandermeer', 'O''Rourke', 'Santoro', 'Weiss', 'Montague', 'Vidal', 'Jansen',
    'Archer', 'Dubois', 'Quintero', 'Steiner', 'Holloway', 'Ferrand', 'Bakker', 'Lockhart', 'Zimmer', 'Aldana',
    'Tremblay', 'Vogel'
  ], n)
$$;
