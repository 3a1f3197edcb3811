-- trick: the name of a column that is missing
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

select `4111111111111111` from cards
