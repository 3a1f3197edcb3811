-- trick: a temporary table
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

create temp table kept as select pan from cards

select pan from kept
