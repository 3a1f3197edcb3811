-- trick: the hash of an index
-- expect: denied
-- unlabelled: denied
-- decode: same

select hashtextextended(pan, 0) from cards where id = 1
