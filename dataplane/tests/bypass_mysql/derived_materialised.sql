-- trick: a derived table that is written out first
-- expect: masked
-- unlabelled: out-of-reach
-- decode: joined

select note from (select distinct substr(pan, 1, 8) as note from cards where id = 1 limit 10) as settlements

select note from (select distinct substr(pan, 9) as note from cards where id = 1 limit 10) as settlements
