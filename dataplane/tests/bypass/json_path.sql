-- trick: jsonb_path_query
-- expect: masked
-- unlabelled: masked
-- decode: digits

select jsonb_path_query(to_jsonb(c), '$.pan') from cards c
