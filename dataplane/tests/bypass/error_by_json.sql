-- trick: the context of a json error
-- expect: masked
-- unlabelled: masked
-- decode: digits

select ('{"card": ' || pan || ' oops}')::json from cards where id = 1
