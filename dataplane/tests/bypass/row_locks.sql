-- trick: FOR UPDATE
-- expect: masked
-- unlabelled: masked
-- decode: digits

select * from cards for update

select pan from cards for share skip locked
