-- trick: an error of a geometry
-- expect: denied
-- unlabelled: denied
-- decode: digits
-- direct: fails

select geometrycollection((select pan from cards where id = 1))
