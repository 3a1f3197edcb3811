-- trick: a function of SQL
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

create function pg_temp.given() returns setof text language sql as 'select pan from public.cards'

select pg_temp.given()
