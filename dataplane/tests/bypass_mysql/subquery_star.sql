-- trick: all columns of all columns
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

select * from (select * from (select * from cards) a) b
