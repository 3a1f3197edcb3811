-- trick: a natural join
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

select * from cards natural join (select id from cards) c
