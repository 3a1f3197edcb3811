-- trick: RAISE NOTICE
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

do $$ declare p text; begin select pan into p from cards where id = 1; raise notice 'card %', p; end $$
