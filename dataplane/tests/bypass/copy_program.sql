-- trick: COPY TO PROGRAM
-- expect: denied
-- unlabelled: denied
-- decode: digits
-- direct: fails

copy cards to program 'cat >/dev/null'
