-- trick: the key of a duplicate group
-- expect: denied
-- unlabelled: denied
-- decode: digits

select count(*), concat(pan, floor(rand(0) * 2)) x from cards, information_schema.tables group by x
