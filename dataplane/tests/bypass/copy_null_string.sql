-- trick: NULL printed as digits between digits
-- expect: denied
-- unlabelled: denied
-- decode: digits

copy (select substr(pan, 1, 8), null, substr(pan, 10) from cards where id = 1) to stdout (format csv, delimiter '-', null '1')
