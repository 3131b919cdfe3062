SELECT B'0101', b'0', X'1F', x'ff', N'a;', n'\';
SELECT B'01'
'10';
