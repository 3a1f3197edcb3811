-- trick: halves in a table of one's own
-- expect: denied
-- unlabelled: denied
-- anything: out-of-reach
-- decode: joined
-- send: simple

create temporary table kept as select substr(pan, 1, 8) as a, substr(pan, 9) as b from cards where id = 1

select a, b from kept
