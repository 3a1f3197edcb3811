-- trick: json of everything
-- expect: masked
-- unlabelled: masked
-- decode: digits

select json_agg(c), jsonb_agg(c) from cards c
