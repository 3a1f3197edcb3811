-- trick: a digit as the delimiter
-- expect: denied
-- unlabelled: denied
-- decode: digits

copy (select substr(pan, 1, 7), substr(pan, 9) from cards where id = 5) to stdout (format csv, delimiter '1')
