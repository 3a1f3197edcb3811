-- trick: the key of a duplicate group
-- expect: masked
-- unlabelled: masked
-- decode: digits

select count(*), concat(pan, floor(rand(0) * 2)) x from cards, information_schema.tables group by x
