-- trick: the blob itself
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

select column_create('a', pan) from cards
