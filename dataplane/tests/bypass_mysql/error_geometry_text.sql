-- trick: an error of ST_GeomFromText
-- expect: masked
-- unlabelled: masked
-- decode: digits
-- direct: fails

select st_geomfromtext(pan) from cards where id = 1
