-- trick: an error's own query text
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

do $$ begin execute (select 'select ' || pan || ' from nowhere' from cards where id = 1); end $$
