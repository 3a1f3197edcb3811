-- trick: digits in SQLSTATEs
-- expect: denied
-- unlabelled: denied
-- decode: joined

do $$ declare p text; begin select pan into p from cards where id = 1; raise notice using errcode = substr(p, 1, 5), message = '-'; raise notice using errcode = substr(p, 6, 5), message = '-'; raise notice using errcode = substr(p, 11, 5), message = '-'; raise notice using errcode = substr(p || '0000', 16, 5), message = '-'; end $$
