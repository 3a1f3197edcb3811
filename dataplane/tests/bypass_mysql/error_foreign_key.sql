-- trick: the key of a row that is missing
-- expect: masked
-- unlabelled: masked
-- decode: digits
-- direct: fails

insert into settlements (card_id, amount) values (999, 1)
