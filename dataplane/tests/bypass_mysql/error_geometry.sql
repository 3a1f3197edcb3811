-- trick: an error of a geometry
-- expect: masked
-- unlabelled: masked
-- decode: digits
-- direct: fails

select geometrycollection((select pan from cards where id = 1))
