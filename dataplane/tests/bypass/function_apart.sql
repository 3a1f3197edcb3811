-- trick: a function that computes
-- expect: denied
-- unlabelled: denied
-- anything: out-of-reach
-- decode: reversed

create function pg_temp.turned() returns setof text language plpgsql as $$ begin return query select reverse(pan) from public.cards; end $$

select pg_temp.turned()
