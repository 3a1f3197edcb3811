-- trick: a column of bits
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: radix:2
-- send: simple

create temporary table in_bits (b bit(64)) as select pan_number as b from cards where id = 1

select b from in_bits
