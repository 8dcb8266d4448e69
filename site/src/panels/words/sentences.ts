/** Sentences to begin with. The last three come from the model's own published test (the Universal Declaration of Human Rights). */
export const SENTENCES: readonly { readonly thai: string; readonly english: string }[] = [
  { thai: 'แมวนอนอยู่บนโต๊ะในห้องครัว', english: 'The cat sleeps on the table in the kitchen.' },
  { thai: 'ฉันชอบดื่มกาแฟตอนเช้า', english: 'I like to drink coffee in the morning.' },
  { thai: 'วันนี้อากาศดีมากเราไปเดินเล่นกัน', english: 'The weather is lovely today, let us go for a walk.' },
  { thai: 'เพื่อนของฉันเรียนภาษาที่มหาวิทยาลัย', english: 'My friend studies languages at the university.' },
  { thai: 'ตากลม', english: 'Round eyes if it is cut as ตา กลม; out in the wind if it is ตาก ลม.' },
  { thai: 'และสันติภาพในโลก', english: 'And peace in the world.' },
  { thai: 'มนุษย์เป็นหลักมูลเหตุแห่งอิสรภาพ', english: 'Humans are the foundation of freedom.' },
  { thai: 'ปฏิญญาสากลว่าด้วยสิทธิมนุษยชน', english: 'The Universal Declaration of Human Rights.' },
];
