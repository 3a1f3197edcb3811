-- trick: a number stored as a default
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

do $$ begin execute (select 'create temp table defaulted (a text default ' || quote_literal(pan) || ')' from cards where id = 1); end $$

select column_default from information_schema.columns where table_name = 'defaulted'
