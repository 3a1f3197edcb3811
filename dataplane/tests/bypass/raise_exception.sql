-- trick: RAISE EXCEPTION with detail and hint
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

do $$ declare p text; begin select pan into p from cards where id = 1; raise exception 'no' using detail = p, hint = 'see ' || p; end $$
