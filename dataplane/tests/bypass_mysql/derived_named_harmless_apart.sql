-- trick: halves from derived tables named as one without labels
-- expect: masked
-- unlabelled: out-of-reach
-- decode: joined

select note from (select substr(pan, 1, 8) as note from cards where id = 1) as settlements

select note from (select substr(pan, 9) as note from cards where id = 1) as settlements
