-- trick: RAISE NOTICE of halves
-- expect: denied
-- unlabelled: denied
-- anything: out-of-reach
-- decode: joined

do $$ declare p text; begin select pan into p from cards where id = 1; raise notice '%', substr(p, 1, 8); raise notice '%', substr(p, 9); end $$
