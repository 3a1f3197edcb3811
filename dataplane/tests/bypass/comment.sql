-- trick: a number stored as a comment
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

create temp table commented ()

do $$ begin execute (select 'comment on table commented is ' || quote_literal(pan) from cards where id = 1); end $$

select obj_description('commented'::regclass)
