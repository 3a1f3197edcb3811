-- trick: the value that a column does not take
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

insert into settlements (card_id, amount) select id, concat('x', pan) from cards where id = 1
