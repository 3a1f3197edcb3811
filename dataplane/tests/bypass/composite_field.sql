-- trick: a field of a row value
-- expect: masked
-- unlabelled: masked
-- decode: digits

select (c).pan, (c).* from cards c
