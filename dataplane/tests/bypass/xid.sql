-- trick: as an object identifier
-- expect: masked
-- unlabelled: out-of-reach
-- decode: joined

select substr(pan, 1, 8)::oid, substr(pan, 9)::oid from cards where id = 1
