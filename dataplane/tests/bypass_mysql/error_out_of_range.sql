-- trick: the value that is out of range
-- expect: masked
-- unlabelled: masked
-- decode: digits
-- direct: fails

insert into settlements (card_id, amount) select pan_number, 1 from cards where id = 1
