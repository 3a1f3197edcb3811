-- trick: halves from a procedure
-- expect: denied
-- unlabelled: denied
-- anything: out-of-reach
-- decode: joined

create or replace procedure read_apart() select substr(pan, 1, 8), substr(pan, 9) from cards where id = 1

call read_apart()
