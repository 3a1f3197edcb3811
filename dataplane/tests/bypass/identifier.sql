-- trick: a number as the name of a column
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

do $$ begin execute (select 'create temp table named ("' || pan || '" int)' from cards where id = 1); end $$

select * from named
