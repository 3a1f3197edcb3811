-- trick: a key of a json object
-- expect: masked
-- unlabelled: masked
-- decode: digits

select json_build_object(pan, 1), jsonb_object_agg(pan, id) from cards group by pan
