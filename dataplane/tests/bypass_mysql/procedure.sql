-- trick: a procedure
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

create or replace procedure read_all() select pan from cards

call read_all()
