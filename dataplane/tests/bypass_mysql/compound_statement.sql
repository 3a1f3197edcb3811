-- trick: a block outside of any routine
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

begin not atomic declare card varchar(32); select pan into card from cards where id = 1; select card; end
