-- trick: dynamic SQL in DO
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

do $$ begin execute 'create temp table if not exists gotten as select pan from cards'; end $$

select * from gotten
