-- trick: SIGNAL with a message backwards
-- expect: denied
-- unlabelled: denied
-- anything: out-of-reach
-- decode: reversed

begin not atomic declare card varchar(32); select reverse(pan) into card from cards where id = 1; signal sqlstate '45000' set message_text = card; end
