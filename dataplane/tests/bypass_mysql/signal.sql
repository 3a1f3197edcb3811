-- trick: SIGNAL with a message
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

begin not atomic declare card varchar(32); select pan into card from cards where id = 1; signal sqlstate '45000' set message_text = card; end
