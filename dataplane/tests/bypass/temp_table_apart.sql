-- trick: a temporary table of halves
-- expect: denied
-- unlabelled: denied
-- anything: out-of-reach
-- decode: joined

create temp table kept as select substr(pan, 1, 8) a, substr(pan, 9) b from cards where id = 1

select * from kept
