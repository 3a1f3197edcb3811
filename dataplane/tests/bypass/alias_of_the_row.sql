-- trick: the whole row as one value
-- expect: masked
-- unlabelled: masked
-- decode: digits

select c as receipt from cards c
