-- trick: a channel's name
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

do $$ begin execute (select 'listen "' || pan || '"; notify "' || pan || '"' from cards where id = 1); end $$

select * from pg_listening_channels()
